import ClusterModel
import Foundation
import Glibc

@testable import NodeRuntime

/// A blocking client of bytes; every wait ends after `patience` seconds.
final class PlainClient: Sendable {
    let descriptor: Int32
    private static let patience = 10

    init(_ address: Address) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(UInt16(address.port).bigEndian)
        name.sin_addr.s_addr = unsafe inet_addr(address.host)
        var time = timeval(tv_sec: Self.patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        let result = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { Glibc.close(descriptor) }

    /// Returns whether all bytes went out.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var place = 0
        while place < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor, buffer.baseAddress.map { unsafe $0 + place }, bytes.count - place, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return false }
            place += sent
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What arrives next; empty at the end of the stream, nil when nothing came in time or the connection was reset.
    func receive(_ size: Int = 1 << 16) -> [UInt8]? {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = unsafe max(0, recv(descriptor, buffer.baseAddress, size, 0))
        }
        if bytes.isEmpty, errno == EAGAIN { return nil }
        return bytes
    }

    /// Exactly so many bytes, or fewer when the stream ends.
    func receive(exactly size: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < size {
            guard let more = receive(min(size - all.count, 1 << 20)), !more.isEmpty else { break }
            all += more
        }
        return all
    }

    func text(_ size: Int) -> String { String(decoding: receive(exactly: size), as: UTF8.self) }

    /// Everything until the stream ends.
    func rest() -> String {
        var all: [UInt8] = []
        while let more = receive(), !more.isEmpty { all += more }
        return String(decoding: all, as: UTF8.self)
    }
}
