"""The networks: an LSTM, the generator and discriminator made of it, and RELAX's control variate."""
