"""The doubles as a program of their own: real time, serial device files, and a socket for what has no bytes."""
