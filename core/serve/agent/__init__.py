"""What an agent reads and enters at the desk: the facts asked for, those assumed, advice in plain words."""
