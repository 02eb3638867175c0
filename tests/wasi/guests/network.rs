//! A program that uses the network by the standard library alone: what it does is said by its first argument.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    let done = match arguments[0].as_str() {
        "serve" => serve(rest[0], rest[1].parse().unwrap()),
        "talk" => talk(rest[0], rest[1]),
        "push" => push(rest[0], rest[1].parse().unwrap()),
        "pull" => pull(rest[0]),
        "exchange" => exchange(rest[0], rest[1].parse().unwrap()),
        "bind" => TcpListener::bind(rest[0]).map(|found| say(&found.local_addr().unwrap())),
        "ask" => ask(rest[0], rest[1], &rest[2..]),
        "answer" => answer(rest[0], rest[1].parse().unwrap()),
        "resolve" => resolve(rest[0]),
        "options" => options(rest[0]),
        "patience" => patience(rest[0]),
        verb => panic!("there is no verb {verb}"),
    };
    if let Err(error) = done {
        say(&format!("{:?}", error.kind()));
    }
}

fn say(what: &dyn std::fmt::Display) {
    println!("{what}");
    std::io::stdout().flush().unwrap();
}

/// Sends back what connections say, one after the other.
fn serve(address: &str, connections: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind(address)?;
    say(&listener.local_addr()?);
    for _ in 0..connections {
        let (mut stream, peer) = listener.accept()?;
        let mut total = 0;
        let mut data = vec![0; 10_000];
        loop {
            let length = stream.read(&mut data)?;
            if length == 0 {
                break;
            }
            stream.write_all(&data[..length])?;
            total += length;
        }
        assert_eq!(peer, stream.peer_addr()?);
        say(&total);
    }
    Ok(())
}

/// Says something, says that this was all, and prints the answer.
fn talk(address: &str, text: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(text.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut found = String::new();
    stream.read_to_string(&mut found)?;
    say(&found);
    Ok(())
}

/// Writes blocks of bytes and is gone.
fn push(address: &str, blocks: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    for number in 0..blocks {
        stream.write_all(&vec![number as u8; 100_000])?;
    }
    say(&"all written");
    Ok(())
}

/// Counts what comes.
fn pull(address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    say(&"connected");
    let mut data = Vec::new();
    stream.read_to_end(&mut data)?;
    say(&data.len());
    Ok(())
}

/// Sends blocks that are sent back, without blocking in between.
fn exchange(address: &str, blocks: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    let all: Vec<u8> = (0..blocks * 100_000).map(|number| (number % 251) as u8).collect();
    let (mut sent, mut found) = (0, Vec::new());
    let mut data = vec![0; 65_536];
    while found.len() < all.len() {
        if sent < all.len() {
            match stream.write(&all[sent..]) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => (),
                Err(error) => return Err(error),
            }
        }
        match stream.read(&mut data) {
            Ok(length) => found.extend_from_slice(&data[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            Err(error) => return Err(error),
        }
    }
    say(&(found == all));
    Ok(())
}

/// Sends datagrams, from an address of its own, and prints what comes back for each.
fn ask(from: &str, to: &str, texts: &[&str]) -> std::io::Result<()> {
    let socket = UdpSocket::bind(from)?;
    socket.connect(to)?;
    let mut data = [0; 2000];
    for text in texts {
        socket.send(text.as_bytes())?;
        let length = socket.recv(&mut data)?;
        say(&String::from_utf8_lossy(&data[..length]));
    }
    Ok(())
}

/// Answers datagrams with what was in them, from whoever they come.
fn answer(address: &str, datagrams: usize) -> std::io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    say(&socket.local_addr()?);
    let mut data = [0; 2000];
    for _ in 0..datagrams {
        let (length, peer) = socket.recv_from(&mut data)?;
        socket.send_to(&data[..length], peer)?;
    }
    Ok(())
}

fn resolve(name: &str) -> std::io::Result<()> {
    let mut found: Vec<SocketAddr> = name.to_socket_addrs()?.collect();
    found.sort();
    found.dedup();
    say(&format!("{found:?}"));
    Ok(())
}

fn options(address: &str) -> std::io::Result<()> {
    let stream = TcpStream::connect(address)?;
    stream.set_ttl(77)?;
    say(&stream.ttl()?);
    stream.set_nodelay(true)?;
    say(&stream.nodelay()?);
    say(&format!("{:?}", stream.take_error()?));
    say(&(stream.peer_addr()?.to_string() == address));
    say(&(stream.local_addr()?.port() > 0));
    Ok(())
}

/// Waits for what does not come, but not for ever.
fn patience(address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    stream.read(&mut [0; 10])?;
    Ok(())
}
