//! Replies: their form (RFC 959, 4.2), and the text where the host gives none.

use alloc::string::String;
use core::fmt::Write;

/// Writes a reply of some lines. Without any it has an empty one.
pub fn write<'a>(out: &mut impl Write, code: u16, lines: impl IntoIterator<Item = &'a str>) {
    let mut lines = lines.into_iter().peekable();
    let mut line = lines.next().unwrap_or_default();
    let mut first = true;
    loop {
        let last = lines.peek().is_none();
        let mark = if last { ' ' } else { '-' };
        let _ = match first || last {
            true => write!(out, "{code:03}{mark}{}\r\n", Clean(line)),
            // Indented, so that none can be taken for the last one, whatever it begins with.
            false => write!(out, " {}\r\n", Clean(line)),
        };
        first = false;
        match lines.next() {
            Some(next) => line = next,
            None => return,
        }
    }
}

/// A line of a reply: control characters would end it, or be taken for something else.
struct Clean<'a>(&'a str);

impl core::fmt::Display for Clean<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if !self.0.contains(char::is_control) {
            return out.write_str(self.0);
        }
        for char in self.0.chars() {
            out.write_char(if char.is_control() { ' ' } else { char })?;
        }
        Ok(())
    }
}

/// A path in a reply, with its quotes doubled (RFC 959, appendix II).
pub fn quoted(path: &str) -> String {
    let mut text = String::with_capacity(path.len() + 2);
    text.push('"');
    for char in path.chars() {
        text.push(char);
        if char == '"' {
            text.push('"');
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(code: u16, lines: &[&str]) -> String {
        let mut text = String::new();
        write(&mut text, code, lines.iter().copied());
        text
    }

    #[test]
    fn one_line_has_a_space_behind_its_code() {
        assert_eq!(written(200, &["Fine."]), "200 Fine.\r\n");
        assert_eq!(written(200, &[]), "200 \r\n");
    }

    #[test]
    fn the_last_of_several_lines_can_be_told_from_the_others() {
        let text = written(211, &["Begin", "211 no end", "End"]);
        assert_eq!(text, "211-Begin\r\n 211 no end\r\n211 End\r\n");
    }

    #[test]
    fn a_line_stays_one() {
        assert_eq!(written(200, &["a\r\n200 b\0"]), "200 a  200 b \r\n");
    }

    #[test]
    fn quotes_in_paths_are_doubled() {
        assert_eq!(quoted("/a \"b\""), "\"/a \"\"b\"\"\"");
    }
}
