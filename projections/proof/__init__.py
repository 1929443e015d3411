"""Merkle trees and signed notes. Pure."""
