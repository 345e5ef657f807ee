"""Tables, lists and JSON of other programs: what they hold is proved before it becomes beats, or is refused in a sentence."""
