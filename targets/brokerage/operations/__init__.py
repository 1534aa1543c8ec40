"""What ``brokerctl`` does, one module a noun; ``calls`` is how it reaches the stack, ``outcome`` what it answers."""
