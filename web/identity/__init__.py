"""Who somebody is: credentials, and the single sign-on provider."""
