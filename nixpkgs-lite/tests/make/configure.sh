#!/bin/sh
# Writes down how it was called.
echo "configured $*" > log
