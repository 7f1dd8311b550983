"""The one reader of numbers that describe a home: the form, the command line, the API and files read one text alike."""
