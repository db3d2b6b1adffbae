"""Other ways to send and read records: uploads that go on another day, and keys for other programs."""
