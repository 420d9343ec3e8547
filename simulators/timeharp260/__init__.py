"""The TimeHarp 260's double: a function table with the face of TH260Lib 3.2."""
