//! A program that works with files as its arguments say, one operation each, and prints what comes of it.
//!
//! The parts of an operation are separated by `|`.

use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Result, Seek, SeekFrom, Write};
use std::time::{Duration, UNIX_EPOCH};

fn main() {
    for operation in std::env::args().skip(1) {
        let parts: Vec<&str> = operation.split('|').collect();
        match run(parts[0], &parts[1..]) {
            Ok(found) => println!("{operation} -> {found}"),
            Err(error) => println!("{operation} -> {:?} {:?}", error.kind(), error.raw_os_error()),
        }
    }
}

fn run(verb: &str, rest: &[&str]) -> Result<String> {
    let number = |index: usize| rest[index].parse::<u64>().unwrap();
    match verb {
        "read" => fs::read_to_string(rest[0]),
        "write" => done(fs::write(rest[0], rest[1])),
        "append" => done(OpenOptions::new().append(true).create(true).open(rest[0])?.write_all(rest[1].as_bytes())),
        "new" => done(File::create_new(rest[0])),
        "truncate" => done(OpenOptions::new().write(true).truncate(true).open(rest[0])),
        "resize" => done(OpenOptions::new().write(true).open(rest[0])?.set_len(number(1))),
        "resize-reader" => done(File::open(rest[0])?.set_len(number(1))),
        "write-reader" => done(File::open(rest[0])?.write_all(b"x")),
        "read-writer" => done(OpenOptions::new().write(true).open(rest[0])?.read(&mut [0])),
        "patch" => patch(rest[0], number(1), rest[2]),
        "together" => together(rest[0]),
        "large" => large(rest[0], number(1) as usize),
        "lines" => Ok(BufReader::new(File::open(rest[0])?).lines().count().to_string()),
        "copy" => fs::copy(rest[0], rest[1]).map(|length| length.to_string()),
        "rename" => done(fs::rename(rest[0], rest[1])),
        "remove" => done(fs::remove_file(rest[0])),
        "hard-link" => done(fs::hard_link(rest[0], rest[1])),
        #[allow(deprecated)]
        "soft-link" => done(fs::soft_link(rest[0], rest[1])),
        "read-link" => fs::read_link(rest[0]).map(|path| path.display().to_string()),
        "make" => done(fs::create_dir(rest[0])),
        "make-all" => done(fs::create_dir_all(rest[0])),
        "remove-directory" => done(fs::remove_dir(rest[0])),
        "remove-all" => done(fs::remove_dir_all(rest[0])),
        "list" => list(rest[0]),
        "metadata" => fs::metadata(rest[0]).map(describe),
        "link-metadata" => fs::symlink_metadata(rest[0]).map(describe),
        "open-metadata" => File::open(rest[0])?.metadata().map(describe),
        "exists" => fs::exists(rest[0]).map(|found| found.to_string()),
        "touch" => touch(rest[0], number(1), number(2)),
        "sync" => done(OpenOptions::new().append(true).open(rest[0])?.sync_all()),
        "sync-reader" => done(File::open(rest[0])?.sync_data()),
        "hold" => hold(rest[0], number(1)),
        "trap" => std::process::abort(),
        other => panic!("{other}"),
    }
}

fn done<T>(result: Result<T>) -> Result<String> {
    result.map(|_| "done".into())
}

/// Writes in the middle of a file, and tells all of it.
fn patch(path: &str, position: u64, text: &str) -> Result<String> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.seek(SeekFrom::Start(position))?;
    file.write_all(text.as_bytes())?;
    let after = file.stream_position()?;
    file.rewind()?;
    let mut found = String::new();
    file.read_to_string(&mut found)?;
    let end = file.seek(SeekFrom::End(-2))?;
    let mut last = [0; 2];
    file.read_exact(&mut last)?;
    Ok(format!("{after} {found:?} {end} {last:?}"))
}

/// Two that append to one file, and one that reads it as it grows.
fn together(path: &str) -> Result<String> {
    let options = || OpenOptions::new().append(true).create(true).open(path);
    let (mut one, mut two, mut reader) = (options()?, options()?, File::open(path)?);
    let mut found = String::new();
    for round in 0..3 {
        write!(one, "one {round}\n")?;
        write!(two, "two {round}\n")?;
    }
    reader.read_to_string(&mut found)?;
    Ok(format!("{found:?}"))
}

/// Writes a file of so many bytes in pieces of odd sizes, and reads it back.
fn large(path: &str, length: usize) -> Result<String> {
    let data: Vec<u8> = (0..length).map(|index| (index * 7 + index / 251) as u8).collect();
    let mut file = File::create(path)?;
    for piece in data.chunks(100_003) {
        file.write_all(piece)?;
    }
    file.sync_all()?;
    let same = fs::read(path)? == data;
    let mut reader = File::open(path)?;
    reader.seek(SeekFrom::Start(length as u64 / 2))?;
    let copied = io::copy(&mut reader, &mut io::sink())?;
    Ok(format!("{same} {copied}"))
}

fn list(path: &str) -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let mark = if kind.is_dir() { "/" } else if kind.is_symlink() { "@" } else { "" };
        names.push(format!("{}{mark}", entry.file_name().display()));
    }
    names.sort();
    Ok(names.join(" "))
}

fn describe(found: Metadata) -> String {
    let kind = found.file_type();
    let (file, directory, link) = (kind.is_file(), kind.is_dir(), kind.is_symlink());
    let length = if file { found.len() } else { 0 };
    let age = |time: Result<std::time::SystemTime>| {
        let seconds = time.unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
        // What was set by a test is told, what is of now is not.
        if seconds < 1_000_000_000 { seconds.to_string() } else { "now".into() }
    };
    format!("{file} {directory} {link} {length} {} {}", age(found.accessed()), age(found.modified()))
}

fn touch(path: &str, accessed: u64, modified: u64) -> Result<String> {
    let time = |seconds| UNIX_EPOCH + Duration::new(seconds, 5);
    let times = FileTimes::new().set_accessed(time(accessed)).set_modified(time(modified));
    OpenOptions::new().write(true).open(path)?.set_times(times)?;
    fs::metadata(path).map(describe)
}

/// Opens a file many times and closes none.
fn hold(path: &str, count: u64) -> Result<String> {
    for _ in 0..count {
        std::mem::forget(File::open(path)?);
        std::mem::forget(fs::read_dir(".")?);
    }
    Ok("held".into())
}
