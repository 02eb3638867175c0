//! The commands: their names, what they take, and who may give them. What they do is not known here.

use alloc::string::String;
use alloc::vec::Vec;

/// A command that the component knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Abor,
    Acct,
    Adat,
    Allo,
    Appe,
    Auth,
    Ccc,
    Cdup,
    Conf,
    Cwd,
    Dele,
    Enc,
    Eprt,
    Epsv,
    Feat,
    Help,
    List,
    Mdtm,
    Mic,
    Mkd,
    Mlsd,
    Mlst,
    Mode,
    Nlst,
    Noop,
    Opts,
    Pass,
    Pasv,
    Pbsz,
    Port,
    Prot,
    Pwd,
    Quit,
    Rein,
    Rest,
    Retr,
    Rmd,
    Rnfr,
    Rnto,
    Site,
    Size,
    Smnt,
    Stat,
    Stor,
    Stou,
    Stru,
    Syst,
    Type,
    User,
}

/// Whether a command has an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Perhaps,
    Something,
}

/// What is known of a command.
#[derive(Debug)]
pub struct Spec {
    pub name: &'static str,
    pub verb: Verb,
    pub takes: Takes,
    /// Whether nobody may give it who is not logged in.
    pub login: bool,
    /// Its argument, for HELP.
    pub syntax: &'static str,
}

use Takes::{Nothing, Perhaps, Something};

const ANYBODY: bool = false;
const USER: bool = true;

/// All of them, by their names in order.
const TABLE: [Spec; 54] = [
    spec("ABOR", Verb::Abor, Nothing, ANYBODY, ""),
    spec("ACCT", Verb::Acct, Something, ANYBODY, "account"),
    spec("ADAT", Verb::Adat, Something, ANYBODY, "data"),
    spec("ALLO", Verb::Allo, Something, USER, "bytes [R bytes]"),
    spec("APPE", Verb::Appe, Something, USER, "path"),
    spec("AUTH", Verb::Auth, Something, ANYBODY, "TLS"),
    spec("CCC", Verb::Ccc, Nothing, ANYBODY, ""),
    spec("CDUP", Verb::Cdup, Nothing, USER, ""),
    spec("CONF", Verb::Conf, Something, ANYBODY, "data"),
    spec("CWD", Verb::Cwd, Something, USER, "path"),
    spec("DELE", Verb::Dele, Something, USER, "path"),
    spec("ENC", Verb::Enc, Something, ANYBODY, "data"),
    spec("EPRT", Verb::Eprt, Something, USER, "|1 or 2|address|port|"),
    spec("EPSV", Verb::Epsv, Perhaps, USER, "[1, 2 or ALL]"),
    spec("FEAT", Verb::Feat, Nothing, ANYBODY, ""),
    spec("HELP", Verb::Help, Perhaps, ANYBODY, "[command]"),
    spec("LIST", Verb::List, Perhaps, USER, "[path]"),
    spec("MDTM", Verb::Mdtm, Something, USER, "path"),
    spec("MIC", Verb::Mic, Something, ANYBODY, "data"),
    spec("MKD", Verb::Mkd, Something, USER, "path"),
    spec("MLSD", Verb::Mlsd, Perhaps, USER, "[path]"),
    spec("MLST", Verb::Mlst, Perhaps, USER, "[path]"),
    spec("MODE", Verb::Mode, Something, USER, "S"),
    spec("NLST", Verb::Nlst, Perhaps, USER, "[path]"),
    spec("NOOP", Verb::Noop, Nothing, ANYBODY, ""),
    spec(
        "OPTS",
        Verb::Opts,
        Something,
        ANYBODY,
        "UTF8 ON or MLST [facts]",
    ),
    spec("PASS", Verb::Pass, Perhaps, ANYBODY, "password"),
    spec("PASV", Verb::Pasv, Nothing, USER, ""),
    spec("PBSZ", Verb::Pbsz, Something, ANYBODY, "0"),
    spec("PORT", Verb::Port, Something, USER, "h1,h2,h3,h4,p1,p2"),
    spec("PROT", Verb::Prot, Something, ANYBODY, "C or P"),
    spec("PWD", Verb::Pwd, Nothing, USER, ""),
    spec("QUIT", Verb::Quit, Nothing, ANYBODY, ""),
    spec("REIN", Verb::Rein, Nothing, ANYBODY, ""),
    spec("REST", Verb::Rest, Something, USER, "offset"),
    spec("RETR", Verb::Retr, Something, USER, "path"),
    spec("RMD", Verb::Rmd, Something, USER, "path"),
    spec("RNFR", Verb::Rnfr, Something, USER, "path"),
    spec("RNTO", Verb::Rnto, Something, USER, "path"),
    spec("SITE", Verb::Site, Something, USER, "HELP"),
    spec("SIZE", Verb::Size, Something, USER, "path"),
    spec("SMNT", Verb::Smnt, Something, USER, "path"),
    spec("STAT", Verb::Stat, Perhaps, ANYBODY, "[path]"),
    spec("STOR", Verb::Stor, Something, USER, "path"),
    spec("STOU", Verb::Stou, Perhaps, USER, "[path]"),
    spec("STRU", Verb::Stru, Something, USER, "F"),
    spec("SYST", Verb::Syst, Nothing, ANYBODY, ""),
    spec("TYPE", Verb::Type, Something, USER, "A, I or L 8"),
    spec("USER", Verb::User, Something, ANYBODY, "name"),
    spec("XCUP", Verb::Cdup, Nothing, USER, ""),
    spec("XCWD", Verb::Cwd, Something, USER, "path"),
    spec("XMKD", Verb::Mkd, Something, USER, "path"),
    spec("XPWD", Verb::Pwd, Nothing, USER, ""),
    spec("XRMD", Verb::Rmd, Something, USER, "path"),
];

const fn spec(
    name: &'static str,
    verb: Verb,
    takes: Takes,
    login: bool,
    syntax: &'static str,
) -> Spec {
    Spec {
        name,
        verb,
        takes,
        login,
        syntax,
    }
}

/// The names of all commands.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|spec| spec.name)
}

/// The command of a name, in letters of either case.
pub fn find(name: &str) -> Option<&'static Spec> {
    let mut upper = [0; 4];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name.as_bytes());
    upper.make_ascii_uppercase();
    let at = TABLE.binary_search_by(|spec| spec.name.as_bytes().cmp(upper));
    at.ok().map(|at| &TABLE[at])
}

/// Why a line is no command: the code of the reply, the text, and the name if it is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    pub code: u16,
    pub text: &'static str,
    pub name: String,
}

/// The command in a line and its argument.
pub fn parse(line: Vec<u8>) -> Result<(&'static Spec, Option<String>), Malformed> {
    let end = line.iter().position(|byte| *byte == b' ');
    let name = &line[..end.unwrap_or(line.len())];
    if name.is_empty() || name.len() > 8 || !name.iter().all(u8::is_ascii_alphabetic) {
        return Err(malformed(500, "That is no command.", ""));
    }
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let Some(spec) = find(&name) else {
        return Err(malformed(500, "There is no such command.", &name));
    };
    let argument = end.and_then(|at| line.get(at + 1..)).unwrap_or_default();
    if argument
        .iter()
        .any(|byte| matches!(byte, 0 | b'\r' | b'\n'))
    {
        return Err(malformed(
            501,
            "NUL, CR and LF can't be in an argument.",
            spec.name,
        ));
    }
    let Ok(argument) = core::str::from_utf8(argument) else {
        return Err(malformed(501, "The argument is not UTF-8.", spec.name));
    };
    match (spec.takes, argument.is_empty()) {
        (Takes::Nothing, false) => {
            Err(malformed(501, "This command takes no argument.", spec.name))
        }
        (Takes::Something, true) => {
            Err(malformed(501, "This command needs an argument.", spec.name))
        }
        (_, true) => Ok((spec, None)),
        (_, false) => Ok((spec, Some(String::from(argument)))),
    }
}

fn malformed(code: u16, text: &'static str, name: &str) -> Malformed {
    Malformed {
        code,
        text,
        name: String::from(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        let names: Vec<_> = names().collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
        for name in names {
            assert_eq!(find(name).unwrap().name, name);
        }
    }

    #[test]
    fn names_have_letters_of_either_case() {
        assert_eq!(find("nOOp").unwrap().verb, Verb::Noop);
        assert_eq!(find("xpwd").unwrap().verb, Verb::Pwd);
        assert!(find("NOOPS").is_none());
        assert!(find("").is_none());
    }

    #[test]
    fn an_argument_is_all_behind_one_space() {
        let (spec, argument) = parse(b"retr  a b ".to_vec()).unwrap();
        assert_eq!(
            (spec.verb, argument.as_deref()),
            (Verb::Retr, Some(" a b "))
        );
        assert_eq!(parse(b"PWD ".to_vec()).unwrap().1, None);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (line, code) in [
            (&b""[..], 500),
            (b" NOOP", 500),
            (b"NO-OP", 500),
            (b"N\xc3\xb6OP", 500),
            (b"ABCDEFGHI", 500),
            (b"BREW", 500),
            (b"NOOP x", 501),
            (b"CWD", 501),
            (b"CWD ", 501),
            (b"CWD a\0b", 501),
            (b"CWD a\rb", 501),
            (b"CWD \xff", 501),
        ] {
            assert_eq!(parse(line.to_vec()).unwrap_err().code, code, "{line:?}");
        }
    }
}
