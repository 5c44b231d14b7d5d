//! Network weights: reading checkpoints, writing ONNX graphs.
