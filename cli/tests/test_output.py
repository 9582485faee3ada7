from extrophi_cli.output import clean, one_line


def test_a_collected_text_cannot_steer_the_terminal() -> None:
    assert clean("a\x1b[31mred\x07\x9b2J\u202eb\r\n") == "a[31mred2Jb\n"
    assert one_line("a\n b\tc\x00") == "a b c"
