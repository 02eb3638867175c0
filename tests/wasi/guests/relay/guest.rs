//! Passes on calls to the interfaces of WASI, one by one, and keeps the resources that it gets.

#![no_std]

extern crate alloc;

include!("bindings.rs");

#[allow(dead_code)]
mod support;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use exports::test::relay::io::Event;
use wasi::cli;
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::io::poll::{self, Pollable};
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::random::{insecure, insecure_seed, random};

struct Component;

export!(Component);

#[derive(Default)]
struct Streams {
    input: Option<InputStream>,
    output: Option<OutputStream>,
}

struct Global(RefCell<Streams>);

// SAFETY: a component instance has one thread.
unsafe impl Sync for Global {}

static STREAMS: Global = Global(RefCell::new(Streams { input: None, output: None }));

fn text(error: StreamError) -> String {
    match error {
        StreamError::Closed => "closed".to_string(),
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
    }
}

fn with_input<T>(call: impl FnOnce(&InputStream) -> T) -> T {
    call(STREAMS.0.borrow().input.as_ref().unwrap())
}

fn with_output<T>(call: impl FnOnce(&OutputStream) -> T) -> T {
    call(STREAMS.0.borrow().output.as_ref().unwrap())
}

fn subscribe(event: Event) -> Pollable {
    match event {
        Event::Input => with_input(|input| input.subscribe()),
        Event::Output => with_output(|output| output.subscribe()),
        Event::After(duration) => monotonic_clock::subscribe_duration(duration),
        Event::At(instant) => monotonic_clock::subscribe_instant(instant),
    }
}

impl exports::test::relay::io::Guest for Component {
    fn open() {
        *STREAMS.0.borrow_mut() = Streams::default();
        let streams = Streams { input: Some(cli::stdin::get_stdin()), output: Some(cli::stdout::get_stdout()) };
        *STREAMS.0.borrow_mut() = streams;
    }

    fn read(len: u64) -> Result<Vec<u8>, String> {
        with_input(|input| input.read(len)).map_err(text)
    }

    fn blocking_read(len: u64) -> Result<Vec<u8>, String> {
        with_input(|input| input.blocking_read(len)).map_err(text)
    }

    fn skip(len: u64) -> Result<u64, String> {
        with_input(|input| input.skip(len)).map_err(text)
    }

    fn blocking_skip(len: u64) -> Result<u64, String> {
        with_input(|input| input.blocking_skip(len)).map_err(text)
    }

    fn check_write() -> Result<u64, String> {
        with_output(|output| output.check_write()).map_err(text)
    }

    fn write(contents: Vec<u8>) -> Result<(), String> {
        with_output(|output| output.write(&contents)).map_err(text)
    }

    fn write_zeroes(len: u64) -> Result<(), String> {
        with_output(|output| output.write_zeroes(len)).map_err(text)
    }

    fn blocking_write_and_flush(contents: Vec<u8>) -> Result<(), String> {
        with_output(|output| output.blocking_write_and_flush(&contents)).map_err(text)
    }

    fn blocking_write_zeroes_and_flush(len: u64) -> Result<(), String> {
        with_output(|output| output.blocking_write_zeroes_and_flush(len)).map_err(text)
    }

    fn flush() -> Result<(), String> {
        with_output(|output| output.flush()).map_err(text)
    }

    fn blocking_flush() -> Result<(), String> {
        with_output(|output| output.blocking_flush()).map_err(text)
    }

    fn splice(len: u64) -> Result<u64, String> {
        with_output(|output| with_input(|input| output.splice(input, len))).map_err(text)
    }

    fn blocking_splice(len: u64) -> Result<u64, String> {
        with_output(|output| with_input(|input| output.blocking_splice(input, len))).map_err(text)
    }

    fn poll(events: Vec<Event>) -> Vec<u32> {
        let pollables: Vec<Pollable> = events.into_iter().map(subscribe).collect();
        poll::poll(&pollables.iter().collect::<Vec<_>>())
    }

    fn ready(event: Event) -> bool {
        subscribe(event).ready()
    }

    fn block(event: Event) {
        subscribe(event).block()
    }

    fn orphan(event: Event) {
        let _pollable = subscribe(event);
        *STREAMS.0.borrow_mut() = Streams::default();
    }
}

impl exports::test::relay::system::Guest for Component {
    fn now() -> u64 {
        monotonic_clock::now()
    }

    fn resolution() -> u64 {
        monotonic_clock::resolution()
    }

    fn wall_now() -> (u64, u32) {
        let now = wall_clock::now();
        (now.seconds, now.nanoseconds)
    }

    fn wall_resolution() -> (u64, u32) {
        let resolution = wall_clock::resolution();
        (resolution.seconds, resolution.nanoseconds)
    }

    fn random_bytes(len: u64) -> Vec<u8> {
        random::get_random_bytes(len)
    }

    fn random_u64() -> u64 {
        random::get_random_u64()
    }

    fn insecure_random_bytes(len: u64) -> Vec<u8> {
        insecure::get_insecure_random_bytes(len)
    }

    fn insecure_random_u64() -> u64 {
        insecure::get_insecure_random_u64()
    }

    fn insecure_seed() -> (u64, u64) {
        insecure_seed::insecure_seed()
    }

    fn arguments() -> Vec<String> {
        cli::environment::get_arguments()
    }

    fn environment() -> Vec<(String, String)> {
        cli::environment::get_environment()
    }

    fn initial_cwd() -> Option<String> {
        cli::environment::initial_cwd()
    }

    fn exit(failed: bool) {
        cli::exit::exit(if failed { Err(()) } else { Ok(()) })
    }

    fn exit_with_code(code: u8) {
        cli::exit::exit_with_code(code)
    }

    fn terminals() -> (bool, bool, bool) {
        (
            cli::terminal_stdin::get_terminal_stdin().is_some(),
            cli::terminal_stdout::get_terminal_stdout().is_some(),
            cli::terminal_stderr::get_terminal_stderr().is_some(),
        )
    }
}
