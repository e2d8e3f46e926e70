from .decoders import make_decoder
from .encoder import WaveEncoder
from .quantizer import VectorQuantizer

__all__ = ["WaveEncoder", "VectorQuantizer", "make_decoder"]
