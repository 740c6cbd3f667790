internal import ClusterModel
internal import Foundation
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Wire

/// Follows the changes of the shard map that the primary metasrv pushes (META.WATCH), whoever is primary.
///
/// It makes a data node hear of a change at once instead of at its next beat; nothing depends on it, so what fails is tried
/// again, with a wait that grows to a second, for as long as it runs.
final class MetaWatch: Sendable {
    private let addresses: [Address]
    private let secret: [UInt8]?
    private let logger: Logger
    private let changed: @Sendable (RouteDelta) -> Void
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Parameter changed: told from any thread, in the order the primary said it; a whole map (`since` 0) comes first.
    init(
        addresses: [Address], secret: [UInt8]?, logger: Logger, changed: @escaping @Sendable (RouteDelta) -> Void
    ) {
        self.addresses = addresses
        self.secret = secret
        self.logger = logger
        self.changed = changed
    }

    /// Begins, unless it has.
    func start() {
        task.withLock { task in
            if task == nil { task = Task { await self.follow() } }
        }
    }

    func stop() { task.withLock { $0?.cancel() } }

    /// How a connection ended.
    private enum Ending {
        /// It is no primary; it names another or nobody.
        case elsewhere(Address?)
        case lost(String)
    }

    private static let shortestPause = 0.05
    private static let longestPause = 1.0

    private func follow() async {
        var since = RouteVersion.zero
        var next = 0
        var named: Address?
        var pause = Self.shortestPause
        while !Task.isCancelled, !addresses.isEmpty {
            let address = named ?? addresses[next % addresses.count]
            let wasNamed = named != nil
            named = nil
            let before = since
            let ending = await session(at: address, since: &since)
            if since > before { pause = Self.shortestPause }
            switch ending {
            case .elsewhere(let primary):
                // Once without a wait: two standbys that name each other must not make it spin.
                if let primary, primary != address {
                    named = primary
                    if !wasNamed { continue }
                } else {
                    next += 1
                }
            case .lost(let why):
                next += 1
                logger.debug("watch of the shard map lost", metadata: ["address": "\(address)", "why": "\(why)"])
            }
            try? await Task.sleep(for: .seconds(pause * .random(in: 0.5...1)))
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// One connection, until it ends.
    private func session(at address: Address, since: inout RouteVersion) async -> Ending {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(1))
                .channelOption(.socketOption(.so_keepalive), value: 1)
                // A machine that is gone says nothing: noticed after some 25 s.
                .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)), value: 10)
                .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)), value: 5)
                .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)), value: 3)
                .connect(host: address.host, port: address.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<NIOCore.ByteBuffer, NIOCore.ByteBuffer>(
                            wrappingChannelSynchronously: channel)
                    }
                }
            let greeting = greeting(since)
            return try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(NIOCore.ByteBuffer(bytes: greeting))
                var parser = ReplyParser()
                for try await bytes in inbound {
                    parser.append(bytes.readableBytesView)
                    while let value = try parser.next() {
                        if let ending = take(value, since: &since) { return ending }
                    }
                }
                return .lost("the connection was closed")
            }
        } catch {
            return .lost("\(error)")
        }
    }

    private func greeting(_ since: RouteVersion) -> [UInt8] {
        var buffer = ClusterModel.ByteBuffer()
        if let secret { RESPRequestWriter.command([Array("AUTH".utf8), secret], into: &buffer) }
        RESPRequestWriter.command([Array("META.WATCH".utf8), Array("\(since)".utf8)], into: &buffer)
        return buffer.view.array
    }

    /// Takes one message. Not nil: the connection is of no use.
    private func take(_ value: RESPValue, since: inout RouteVersion) -> Ending? {
        switch value {
        case .simpleString: return nil
        case .error(let line):
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.first == "NOTPRIMARY" else { return .lost(words.joined(separator: " ")) }
            return .elsewhere(words.count > 1 ? Address(String(words[1])) : nil)
        case .array(let parts):
            guard parts.count == 2, parts[0] == .bulkString(Array("META.DELTA".utf8)),
                case .bulkString(let bytes) = parts[1],
                let delta = try? JSONDecoder().decode(RouteDelta.self, from: Data(bytes))
            else { return .lost("a message that is no META.DELTA") }
            since = delta.version
            changed(delta)
            return nil
        default: return .lost("a message that is no META.DELTA")
        }
    }
}
