//! A program of the standard library alone: what it does is said by its first argument.

use std::collections::HashMap;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::time::{Duration, Instant, SystemTime};

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match verb.as_str() {
        "hello" => println!("Hello, {}!", rest.join(" and ")),
        "arguments" => println!("{:?}", std::env::args().collect::<Vec<_>>()),
        "environment" => {
            let mut all: Vec<_> = std::env::vars().collect();
            all.sort();
            println!("{all:?}");
        }
        "folder" => println!("{:?}", std::env::current_dir()),
        "lines" => {
            for (number, line) in std::io::stdin().lock().lines().enumerate() {
                println!("{}: {}", number + 1, line.unwrap());
            }
        }
        "count" => {
            let mut data = Vec::new();
            let length = std::io::stdin().read_to_end(&mut data).unwrap();
            println!("{length} {}", data.iter().map(|byte| *byte as u64).sum::<u64>());
        }
        "copy" => {
            let copied = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::stdout().lock());
            std::io::stdout().flush().unwrap();
            eprintln!("{copied:?}");
        }
        "fill" => {
            let mut out = std::io::stdout().lock();
            let block = vec![b'x'; 1000];
            for _ in 0..rest[0].parse::<usize>().unwrap() {
                out.write_all(&block).map_err(|error| format!("{:?}", error.kind()))?;
            }
            out.flush().map_err(|error| format!("{:?}", error.kind()))?;
        }
        "time" => {
            let before = Instant::now();
            std::thread::sleep(Duration::from_millis(rest[0].parse().unwrap()));
            let slept = before.elapsed();
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            println!("{} {}", slept.as_nanos(), now.as_nanos());
        }
        "numbers" => {
            let numbers: HashMap<u32, u32> = (0..1000).map(|number| (number, number * number)).collect();
            println!("{} {:?}", numbers.len(), numbers.keys().take(8).collect::<Vec<_>>());
        }
        "terminals" => println!(
            "{} {} {}",
            std::io::stdin().is_terminal(),
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal()
        ),
        "fail" => return Err(rest.join(" ")),
        "panic" => panic!("{}", rest.join(" ")),
        "exit" => {
            print!("not flushed");
            std::process::exit(rest[0].parse().unwrap())
        }
        _ => return Err(format!("there is no verb {verb}")),
    }
    Ok(())
}
