"""A module with a setting, imported by a program of this folder."""

mode = ""
