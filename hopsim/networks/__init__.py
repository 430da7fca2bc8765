"""The public classes: a model and the verbs users expect of it."""
