def jobs(made, seed):
    return iter(())
