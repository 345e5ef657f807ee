"""The radio: the straps that are heard, by this computer or by proxies, and who may use which."""
