"""Our own people are told of what needs them: when, in which words, by mail and to Teams and Slack."""
