//! From the name of a server to a connection: the look-up, one address after the other, TLS.

use super::*;

impl Upstream {
    pub(super) fn look_up(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let Phase::Lookup(stream, watch) = &mut self.phase else {
            return Ok(false);
        };
        match stream.resolve_next_address() {
            Ok(Some(address)) => {
                self.addresses.push_back(address);
                Ok(true)
            }
            Ok(None) => {
                shared
                    .interests
                    .forget(self.owner.slot, Part::Progress, watch);
                self.phase = Phase::Closed;
                self.try_next(shared)?;
                Ok(true)
            }
            Err(ErrorCode::WouldBlock) => Ok(false),
            Err(code) => Err(of_lookup(code)),
        }
    }

    /// Begins to connect to the next address. Each has an equal part of the time that is left.
    pub(super) fn try_next(&mut self, shared: &Shared) -> Result<(), Error> {
        while let Some(address) = self.addresses.pop_front() {
            match begin_connect(address, self.origin.port) {
                Ok(socket) => {
                    let ends = self.began.saturating_add(shared.timeouts.connect);
                    let left = ends.saturating_sub(shared.now);
                    self.turn_until = match self.addresses.len() as u64 {
                        0 => NEVER,
                        others => shared.now.saturating_add(left / (others + 1)),
                    };
                    self.phase = Phase::Connecting(socket, Watch::Absent);
                    return Ok(());
                }
                Err(code) => self.trouble = Some(of_socket(code)),
            }
        }
        Err(self
            .trouble
            .take()
            .unwrap_or_else(|| error(ErrorKind::Permanent, "the name has no address")))
    }

    /// Gives an address up that does not answer, if its time is over and there is another one.
    pub(super) fn pass_turn(&mut self, shared: &mut Shared) -> Result<(), Error> {
        if self.turn_until > shared.now {
            return Ok(());
        }
        if let Phase::Connecting(_, watch) = &mut self.phase {
            shared
                .interests
                .forget(self.owner.slot, Part::Progress, watch);
            self.phase = Phase::Closed;
            self.trouble = Some(error(ErrorKind::Timeout, "no address answers"));
            self.try_next(shared)?;
        }
        Ok(())
    }

    pub(super) fn connect(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let slot = self.owner.slot;
        let Phase::Connecting(socket, watch) = &mut self.phase else {
            return Ok(false);
        };
        let streams = match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => return Ok(false),
            streams => streams,
        };
        shared.interests.forget(slot, Part::Progress, watch);
        self.turn_until = NEVER;
        let Phase::Connecting(socket, _) = core::mem::replace(&mut self.phase, Phase::Closed)
        else {
            return Ok(false);
        };
        let (input, output) = match streams {
            Ok(streams) => streams,
            Err(code) => {
                self.trouble = Some(of_socket(code));
                drop(socket);
                self.try_next(shared)?;
                return Ok(true);
            }
        };
        let (input, output) = match self.origin.secure {
            true => tls::client(input, output, &self.origin.name()).map_err(of_tls_failure)?,
            false => (input, output),
        };
        self.wire = Some(Wire::new(Transport::new(socket, input, output), shared.now));
        self.phase = Phase::Greeting;
        Ok(true)
    }

    /// Waits until there is room, which there is not before TLS has begun.
    pub(super) fn greet(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let Some(wire) = &mut self.wire else {
            return Ok(false);
        };
        match wire.transport.room() {
            Ok(0) => {
                wire.blocked = true;
                return Ok(false);
            }
            Ok(_) => {}
            Err(failure) => return Err(failure),
        }
        wire.blocked = false;
        self.phase = Phase::Open;
        if let Some(job) = self.job.take() {
            self.begin(shared, *job);
        }
        Ok(true)
    }
}

fn begin_connect(address: IpAddress, port: u16) -> Result<TcpSocket, ErrorCode> {
    let (family, remote) = match address {
        IpAddress::Ipv4(address) => {
            let remote = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address });
            (IpAddressFamily::Ipv4, remote)
        }
        IpAddress::Ipv6(address) => {
            let remote = Ipv6SocketAddress {
                port,
                flow_info: 0,
                address,
                scope_id: 0,
            };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(remote))
        }
    };
    let socket = create_tcp_socket(family)?;
    socket.start_connect(&instance_network(), remote)?;
    Ok(socket)
}

/// What a name that has no address means.
pub(super) fn of_lookup(code: ErrorCode) -> Error {
    match code {
        ErrorCode::InvalidArgument => error(ErrorKind::Permanent, "a malformed name of a server"),
        code => of_socket(code),
    }
}
