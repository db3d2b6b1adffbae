"""The image viewer (OHIF) inside a case: its page, what it opens, and the policy its files run under."""
