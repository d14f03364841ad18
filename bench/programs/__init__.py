"""What is measured, each as a process of its own, so that CPU and memory are its alone."""
