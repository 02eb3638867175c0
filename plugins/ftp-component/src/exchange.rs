//! A command that is with the host, and its transfer.

use crate::bindings::component::ftp::types::Error;
use crate::bindings::exports::component::ftp::control::ListingStyle;
use crate::interests::{Interests, Part};
use crate::pump::{Count, Fault, Flow, Receiving, Sending};
use crate::transport::Transport;
use alloc::boxed::Box;
use alloc::string::String;

/// What the host was asked for: decides which answers fit.
#[derive(Debug)]
pub enum Asked {
    Login,
    /// What is simply done, with the code and the text that say so.
    Done(u16, &'static str),
    RenameSource(String),
    WorkingDirectory,
    NewDirectory,
    Size,
    Modified,
    Facts,
    Status,
    Transfer,
}

/// A command that the host is to answer.
pub struct Exchange {
    pub id: u64,
    pub verb: &'static str,
    pub began: u64,
    pub asked: Asked,
    pub transfer: Option<Box<Transfer>>,
}

/// Which way data go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the client; in the form of a listing, if it is one.
    Out(Option<ListingStyle>),
    In,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The host has not said what is to be transferred.
    Offered,
    /// The data connection is being made, with TLS where that is wanted.
    Opening,
    Moving,
    /// All of it was transferred.
    Complete,
    /// It was not; this code says why.
    Failed(u16),
    /// The host does not want it.
    Unwanted,
}

pub enum Job {
    Sending(Sending),
    Receiving(Receiving),
}

pub struct Transfer {
    pub way: Way,
    pub stage: Stage,
    pub job: Option<Job>,
    /// Whether TLS was begun on the data connection.
    pub secured: bool,
    /// When it began to be opened, and when something moved last.
    pub began: u64,
    pub last_moved: u64,
    pub blocked: Option<Part>,
    /// What has moved, and why it failed.
    pub count: Count,
    pub failure: Option<Error>,
}

impl Transfer {
    pub fn new(way: Way, now: u64) -> Self {
        Self {
            way,
            stage: Stage::Offered,
            job: None,
            secured: false,
            began: now,
            last_moved: now,
            blocked: None,
            count: Count::default(),
            failure: None,
        }
    }

    /// Whether data are on their way, or about to be.
    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Opening | Stage::Moving)
    }

    /// Whether it is the host that the client waits for.
    pub fn blocked_by_host(&self) -> bool {
        matches!(self.blocked, Some(Part::Source | Part::Sink))
    }

    /// Whether nothing is going to happen any more.
    pub fn is_over(&self) -> bool {
        !self.is_running() && self.stage != Stage::Offered
    }
}

impl Job {
    pub fn pump(&mut self, transport: &mut Transport, budget: &mut u64) -> Result<Flow, Fault> {
        match self {
            Self::Sending(job) => job.pump(transport, budget),
            Self::Receiving(job) => job.pump(transport, budget),
        }
    }

    pub fn count(&self) -> Count {
        match self {
            Self::Sending(job) => job.count,
            Self::Receiving(job) => job.count,
        }
    }

    pub fn woken(&mut self, part: Part) {
        match (self, part) {
            (Self::Sending(job), Part::Source) => job.woken(),
            (Self::Receiving(job), Part::Sink | Part::DataInput) => job.woken(part),
            _ => {}
        }
    }

    /// Has the host say when its own stream can go on.
    pub fn want(&mut self, interests: &mut Interests, slot: u32) {
        match self {
            Self::Sending(job) => job.want(interests, slot),
            Self::Receiving(job) => job.want(interests, slot),
        }
    }

    /// Closes the host's stream.
    pub fn close(self, interests: &mut Interests, slot: u32) {
        match self {
            Self::Sending(job) => job.close(interests, slot),
            Self::Receiving(job) => job.close(interests, slot),
        }
    }
}
