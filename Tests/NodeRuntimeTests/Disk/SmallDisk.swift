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
    private let kind: Kind

    /// - Parameter megabytes: 0 = the image holds a file system already.
    init(_ kind: Kind, at path: String, megabytes: Int) throws {
        self.path = path
        self.kind = kind
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        switch kind {
        case .memory:
            try Self.run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        case .ext4(let image):
            if megabytes > 0 {
                try Self.run(["truncate", "-s", "\(megabytes)M", image])
                try Self.run(["mkfs.ext4", "-q", image])
            }
            try Self.run(["mount", "-o", "loop", image, path])
        }
    }

    /// What was not synced is gone, and every later call on a file of the disk fails: ext4's EXT4_IOC_SHUTDOWN with
    /// EXT4_GOING_FLAGS_NOLOGFLUSH. C's ioctl has no Swift name, perl's has.
    func cutPower() throws {
        try Self.run([
            "perl", "-e", "sysopen(D, $ARGV[0], 0) or die; my $how = pack('L', 2); ioctl(D, 0x8004587D, $how) or die",
            path,
        ])
    }

    /// The disk as the machine finds it when it comes back: a copy, since the kernel may still hold the dead one.
    func afterPowerCut(at path: String) throws -> SmallDisk {
        guard case .ext4(let image) = kind else { throw DiskError("only a disk in a file outlives a power cut") }
        try Self.run(["cp", "--sparse=always", image, image + ".after"])
        return try SmallDisk(.ext4(image: image + ".after"), at: path, megabytes: 0)
    }

    /// Room appears on a disk in memory that may be full.
    func grow(toMegabytes megabytes: Int) throws { try Self.run(["mount", "-o", "remount,size=\(megabytes)m", path]) }

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
