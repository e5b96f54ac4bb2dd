"""Networks as ONNX files: the graph, operators that ONNX lacks, and the label that describes the file."""
