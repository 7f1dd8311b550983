"""What two pages share: formatting, the page registry, the session and the display of errors."""
