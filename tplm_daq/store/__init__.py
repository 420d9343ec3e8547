"""The run file: layout, writer, reader and what other formats become."""
