"""Response files as people write them."""


def wide_file(matrix, path):
    """Write a matrix as one row per person, empty where nobody answered."""
    scores, observed = matrix.dense()
    rows = [
        ",".join(str(x) if seen else "" for x, seen in zip(own, mask, strict=True))
        for own, mask in zip(scores, observed, strict=True)
    ]
    path.write_text("\n".join([",".join(matrix.item), *rows]) + "\n")
    return path
