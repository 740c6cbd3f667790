public import ClusterModel
internal import CSystemCalls
internal import Glibc

/// Why a socket call failed: what was tried, on which address, and the system's words.
public struct SocketError: Error, CustomStringConvertible, Sendable {
    public var action: String
    public var address: Address
    public var code: Int32

    public var description: String { "\(action) \(address): \(SocketError.text(code))" }
    /// Another process listens there.
    public var isInUse: Bool { code == EADDRINUSE }

    static func text(_ code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// Non-blocking TCP sockets as plain calls; a descriptor is an Int32 that its owner closes once.
@safe enum Socket {
    /// What a read or write came to.
    enum Outcome {
        case bytes(Int)
        /// Nothing now; the poller tells when.
        case wouldBlock
        /// End of stream or a broken connection.
        case closed
    }

    /// A socket that has its port, and takes no connection before `listen`. Port 0 takes any free port; `localAddress` tells
    /// which.
    static func bound(to address: Address) throws(SocketError) -> Int32 {
        unsafe try open(address, "cannot listen on") { descriptor, name, size in
            _ = ostraka_set_reuseaddr(descriptor)
            return unsafe bind(descriptor, name, size)
        }
    }

    /// Has a bound socket take connections.
    static func listen(_ descriptor: Int32, backlog: Int32 = 1024) throws(SocketError) {
        guard Glibc.listen(descriptor, backlog) != 0 else { return }
        let code = errno
        throw SocketError(action: "cannot listen on", address: localAddress(descriptor), code: code)
    }

    /// Begins to connect; the socket becomes writable when it is connected or failed (`connectError`).
    static func connect(_ address: Address) throws(SocketError) -> Int32 {
        unsafe try open(address, "cannot connect to") { descriptor, name, size in
            _ = ostraka_set_nodelay(descriptor)
            let result = unsafe Glibc.connect(descriptor, name, size)
            return result != 0 && errno == EINPROGRESS ? 0 : result
        }
    }

    /// How a connect that was begun ended: 0, or an errno.
    static func connectError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return errno }
        return code
    }

    private static func open(
        _ address: Address, _ action: String,
        _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SocketError) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let failure = unsafe getaddrinfo(address.host, "\(address.port)", &hints, &found)
        defer { if let found = unsafe found { unsafe freeaddrinfo(found) } }
        guard failure == 0, let first = unsafe found, let name = unsafe first.pointee.ai_addr else {
            throw SocketError(action: action, address: address, code: EADDRNOTAVAIL)
        }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = unsafe socket(first.pointee.ai_family, type, 0)
        guard descriptor >= 0 else { throw SocketError(action: action, address: address, code: errno) }
        guard unsafe use(descriptor, UnsafePointer(name), first.pointee.ai_addrlen) == 0 else {
            let code = errno
            close(descriptor)
            throw SocketError(action: action, address: address, code: code)
        }
        return descriptor
    }

    /// The next connection of a listener; nil when there is none now. A negative number is an errno.
    static func accept(_ listener: Int32) -> Int32? {
        let descriptor = ostraka_accept(listener)
        if descriptor == -EAGAIN || descriptor == -ECONNABORTED || descriptor == -EINTR { return nil }
        if descriptor >= 0 { _ = ostraka_set_nodelay(descriptor) }
        return descriptor
    }

    @inline(__always)
    static func read(_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Outcome {
        let count = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
        if count > 0 { return .bytes(count) }
        if count < 0, errno == EAGAIN || errno == EINTR { return .wouldBlock }
        return .closed
    }

    @inline(__always)
    static func write(_ descriptor: Int32, _ bytes: ByteView) -> Outcome {
        guard let base = unsafe bytes.base else { return .bytes(0) }
        let count = unsafe send(descriptor, base, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN || errno == EINTR ? .wouldBlock : .closed
    }

    /// Ends the connection once what was sent on it was not acknowledged, or not taken, for so long (ms). Without this a way
    /// that was cut for a while goes on only with TCP's next try, up to two minutes later.
    static func limitSilence(_ descriptor: Int32, millis: Int32) { _ = ostraka_set_user_timeout(descriptor, millis) }

    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// The address a socket is bound to, and that of its peer; `?` where the system gives none.
    static func localAddress(_ descriptor: Int32) -> Address { unsafe address(descriptor, getsockname) }
    static func peerAddress(_ descriptor: Int32) -> Address { unsafe address(descriptor, getpeername) }

    private static func address(
        _ descriptor: Int32,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> Address {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 128)
        var port = [CChar](repeating: 0, count: 16)
        let isKnown = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                unsafe ask(descriptor, name, &size) == 0
                    && getnameinfo(name, size, &host, 128, &port, 16, NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isKnown else { return Address(host: "?", port: 0) }
        func text(_ characters: [CChar]) -> String {
            String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return Address(host: text(host), port: Int(text(port)) ?? 0)
    }
}

extension ByteBuffer {
    /// Appends what one read of a socket gives, at most some more than `TurnArena.readBytes`.
    mutating func read(from descriptor: Int32) -> Socket.Outcome {
        var outcome = Socket.Outcome.wouldBlock
        _ = unsafe fill(atLeast: TurnArena.readBytes) { room in
            unsafe outcome = Socket.read(descriptor, room)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        return outcome
    }
}
