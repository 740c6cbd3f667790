import Foundation
import Glibc

@testable import NodeRuntime

/// A file system of a few megabytes of its own, which a test may fill or cut off. Needs root.
final class SmallDisk {
    enum Kind {
        /// In memory: for a full disk.
        case memory
        /// ext4 in a file, which a power cut can be played on. Needs loop devices.
        case ext4(image: String)
    }

    static let mayMount = geteuid() == 0
    /// Whether this machine lends loop devices and knows ext4.
    static let hasLoopDevices = mayMount && FileManager.default.fileExists(atPath: "/dev/loop-control")

    let path: String
    private let mount: [String]

    init(_ kind: Kind, at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        switch kind {
        case .memory:
            mount = ["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path]
        case .ext4(let image):
            mount = ["mount", "-o", "loop", image, path]
            try Self.run(["truncate", "-s", "\(megabytes)M", image])
            try Self.run(["mkfs.ext4", "-q", image])
        }
        try Self.run(mount)
    }

    /// What was not synced is gone, and every later call on a file of the disk fails: ext4's EXT4_IOC_SHUTDOWN with
    /// EXT4_GOING_FLAGS_NOLOGFLUSH. C's ioctl has no Swift name, perl's has.
    func cutPower() throws {
        try Self.run([
            "perl", "-e", "sysopen(D, $ARGV[0], 0) or die; my $how = pack('L', 2); ioctl(D, 0x8004587D, $how) or die",
            path,
        ])
    }

    /// The disk as it is after the machine came back. Everybody must have closed its files; waits a little for that.
    func mountAgain() throws {
        let limit = Date(timeIntervalSinceNow: 10)
        while true {
            do {
                try Self.run(["umount", path])
                return try Self.run(mount)
            } catch {
                guard Date() < limit else { throw error }
                usleep(20_000)  // poll: the last thread that has a file open is ending
            }
        }
    }

    func unmount() { try? Self.run(["umount", "-l", path]) }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DiskError("\(arguments.joined(separator: " ")) failed")
        }
    }
}
