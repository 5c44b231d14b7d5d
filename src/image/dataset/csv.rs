//! Tables of comma-separated values with a heading, as spreadsheets and pandas write them: RFC 4180, and lines that end with LF alone.

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// What its columns are called.
    pub(super) columns: Vec<String>,
    /// The fields of each row, as many as there are columns, and the line that it begins on.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    /// What the columns of a text are called.
    ///
    /// # Errors
    /// What is wrong with its first line.
    pub(super) fn heading(text: &str) -> Result<Vec<String>, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let heading = Records { rest: text, line: 1 }.next()?;
        heading.map(|(_, columns)| columns).ok_or_else(|| "it has no heading".into())
    }

    /// Of a text, which may begin with a byte-order mark. Lines without any character are passed over.
    ///
    /// # Errors
    /// What is wrong with it, by its line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut records = Records { rest: text, line: 1 };
        let mut rows = Vec::new();
        while let Some((line, record)) = records.next()? {
            rows.push((line, record));
        }
        let mut rows = rows.into_iter();
        let (_, columns) = rows.next().ok_or("it has no heading")?;
        let rows: Vec<_> = rows.collect();
        match rows.iter().find(|(_, fields)| fields.len() != columns.len()) {
            Some((line, fields)) => {
                Err(format!("line {line} has {} fields, and the heading {}", fields.len(), columns.len()))
            }
            None => Ok(Self { columns, rows }),
        }
    }
}

/// What is left of a text, and the line that it begins on.
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Records<'_> {
    /// The next record and its line.
    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, String> {
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            (self.rest, self.line) = (rest, self.line + 1);
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let begin = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
                (self.rest, self.line) = (rest, self.line + 1);
            } else if !self.rest.is_empty() {
                return Err(format!("line {}: something follows a closing quote", self.line));
            }
            return Ok(Some((begin, fields)));
        }
    }

    /// The next field, up to what ends it.
    fn field(&mut self) -> Result<String, String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            // The CR of a line's end is part of that end.
            let end =
                if self.rest[..end].ends_with('\r') && !self.rest[end..].starts_with(',') { end - 1 } else { end };
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest.strip_prefix('\r').filter(|rest| rest.is_empty()).unwrap_or(rest);
            return Ok(field.to_owned());
        };
        let (mut field, mut rest) = (String::new(), quoted);
        loop {
            let end = rest.find('"').ok_or_else(|| format!("line {}: a quote is not closed", self.line))?;
            field.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    rest = after;
                }
                None => break,
            }
        }
        self.line += field.matches('\n').count();
        self.rest = rest;
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        Table::parse(text).unwrap().rows.into_iter().map(|(_, row)| row).collect()
    }

    #[test]
    fn tables_are_read_as_pythons_csv_reads_them() {
        // list(csv.reader(io.StringIO(text, newline="")))[1:]
        assert_eq!(rows("a,b\n1,2\n3,4"), [["1", "2"], ["3", "4"]]);
        assert_eq!(rows("\u{feff}a,b\r\n1,\r\n\r\n,4\r\n"), [["1", ""], ["", "4"]]);
        assert_eq!(rows("a,b\n\"x, y\",\"say \"\"so\"\"\"\n"), [["x, y", "say \"so\""]]);
        assert_eq!(rows("a,b\n\"two\nlines\",2\r\n3,4\r"), [["two\nlines", "2"], ["3", "4"]]);
        assert_eq!(rows("ä,b\nö,2\n"), [["ö", "2"]]);
        assert_eq!(rows("a\n"), Vec::<Vec<String>>::new());
        let table = Table::parse("a,b\n\"two\nlines\",2\n3,4").unwrap();
        assert_eq!((table.columns, table.rows[1].0), (vec!["a".into(), "b".into()], 4));
    }

    #[test]
    fn what_is_not_a_table_is_refused_by_its_line() {
        for (text, reason) in [
            ("", "no heading"),
            ("a,b\n1,2\n3", "line 3 has 1 fields"),
            ("a,b\n1,2,3", "line 2 has 3 fields"),
            ("a,b\n\"1,2\n", "line 2: a quote is not closed"),
            ("a,b\n\"1\"x,2\n", "line 2: something follows"),
        ] {
            let error = Table::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
