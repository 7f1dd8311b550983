"""What a person should know or check about a home: the flags and the rules that need no estimate beside them."""
