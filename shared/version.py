"""The software's version, as boxes report it; a test holds it equal to the project's."""

VERSION = "0.1.0"
