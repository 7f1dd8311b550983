"""Running Doorstep: what operators measure, check, save and restore."""
