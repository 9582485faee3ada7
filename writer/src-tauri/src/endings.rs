//! Line endings and the byte order mark of a file, which an editor knows nothing of: what was not touched keeps them.

const MARK: char = '\u{feff}';

/// The text as editors have it: lines that end in `\n`, and no mark.
pub fn as_editors_have(file: &str) -> String {
    file.trim_start_matches(MARK).replace("\r\n", "\n").replace('\r', "\n")
}

/// A new text in the form of the file it replaces: lines that are still there end as they did, new ones as most do.
pub fn as_before(file: &str, text: &str) -> Vec<u8> {
    let body = file.trim_start_matches(MARK);
    let mut made = String::with_capacity(text.len() + 16);
    made.push_str(&file[..file.len() - body.len()]);
    if !body.contains('\r') {
        made.push_str(text);
        return made.into_bytes();
    }
    let old = lines(body);
    let new: Vec<&str> = text.split('\n').collect();
    let most = usual(&old);
    let same = |one: &(&str, &str), other: &&str| one.0 == *other;
    let front = old.iter().zip(&new).take_while(|(one, other)| same(one, other)).count();
    let back =
        old[front..].iter().rev().zip(new[front..].iter().rev()).take_while(|(one, other)| same(one, other)).count();
    for (at, line) in new.iter().enumerate() {
        made.push_str(line);
        let left = new.len() - at;
        if left == 1 {
            break; // the last line has no end: what follows an end is a line of its own, if an empty one
        }
        // One in the place of another ends as that did.
        let known = if left <= back { old.get(old.len() - left) } else { old[..old.len() - back].get(at) };
        // The file's last line ended in nothing; a line that came behind it must end.
        made.push_str(known.map(|line| line.1).filter(|end| !end.is_empty()).unwrap_or(most));
    }
    made.into_bytes()
}

/// Each line with its end; the last has none.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        let long = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        found.push((&rest[..at], &rest[at..at + long]));
        rest = &rest[at + long..];
    }
    found.push((rest, ""));
    found
}

fn usual<'a>(lines: &[(&'a str, &'a str)]) -> &'a str {
    ["\n", "\r\n", "\r"]
        .into_iter()
        .max_by_key(|end| lines.iter().filter(|line| line.1 == *end).count())
        .unwrap_or("\n")
}

#[cfg(test)]
mod tests {
    use super::{as_before, as_editors_have};

    fn saved(file: &str, text: &str) -> String {
        String::from_utf8(as_before(file, text)).expect("UTF-8 in, UTF-8 out")
    }

    #[test]
    fn what_is_not_touched_is_the_same_to_the_byte() {
        for file in ["", "a", "a\n", "a\r\nb", "\u{feff}a\r\nb\r\n", "a\rb\r", "a\r\nb\nc\rd", "\r\n\r\n\n", "\u{feff}"]
        {
            assert_eq!(saved(file, &as_editors_have(file)), file, "{file:?}");
        }
    }

    #[test]
    fn a_new_line_ends_as_most_do() {
        assert_eq!(saved("\u{feff}a\r\nb\r\n", "a\nnew\nb\n"), "\u{feff}a\r\nnew\r\nb\r\n");
        assert_eq!(saved("a\nb\n", "a\nb\nc\n"), "a\nb\nc\n");
        assert_eq!(saved("a\r\nb", "a\nb\nc"), "a\r\nb\r\nc");
    }

    #[test]
    fn lines_of_mixed_files_keep_their_own() {
        assert_eq!(saved("a\r\nb\nc\nd\r\n", "a\nB\nc\nd\n"), "a\r\nB\nc\nd\r\n");
    }

    #[test]
    fn all_may_go() {
        assert_eq!(saved("a\r\nb\r\n", ""), "");
        assert_eq!(saved("\u{feff}a\r\n", "x"), "\u{feff}x");
    }
}
