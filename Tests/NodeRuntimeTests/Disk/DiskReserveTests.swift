import DataCore
import Foundation
import Synchronization
import Testing

@testable import NodeRuntime

/// RULES E6: growth is refused before the disk is full, and what the reserve held is there for deletes when it is.
@Suite("The disk's reserve") struct DiskReserveTests {
    /// A disk whose free space the test says.
    private final class Disk: Sendable {
        let free = Mutex<UInt64>(.max)
        let told = Mutex<[Bool]>([])
        let scratch: Scratch

        init() throws { scratch = try Scratch() }

        var rules: ReserveRules {
            ReserveRules(size: DiskReserve.size(total: Files.totalBytes(scratch.path)), isHeld: true)
        }

        func reserve() -> DiskReserve {
            DiskReserve(
                scratch.path, period: nil, free: { self.free.withLock { $0 } },
                changed: { isLow in self.told.withLock { $0.append(isLow) } })
        }

        func look(_ reserve: DiskReserve, free bytes: UInt64) -> [Bool] {
            free.withLock { $0 = bytes }
            reserve.look()
            return told.withLock { $0 }
        }

        var file: UInt64 {
            var status = stat()
            return unsafe stat(DiskReserve.path(scratch.path), &status) == 0 ? UInt64(status.st_blocks) * 512 : 0
        }
    }

    @Test func itGoesWhenTheDiskIsFullAndComesBack() throws {
        let disk = try Disk()
        let sizes = disk.rules
        let reserve = disk.reserve()
        #expect(disk.file >= sizes.size)
        #expect(disk.look(reserve, free: sizes.low) == [])
        #expect(disk.look(reserve, free: sizes.low - 1) == [true])
        #expect(disk.file >= sizes.size, "growth is refused, but deletes still have room")
        #expect(disk.look(reserve, free: sizes.low) == [true], "it does not flicker")
        #expect(disk.look(reserve, free: sizes.low * 2) == [true, false])
        #expect(disk.look(reserve, free: sizes.full - 1) == [true, false, true])
        #expect(disk.file == 0)
        #expect(!reserve.makeRoom(), "there is nothing more to give")
        #expect(disk.look(reserve, free: sizes.roomy - 1) == [true, false, true])
        #expect(disk.file == 0)
        #expect(disk.look(reserve, free: sizes.roomy) == [true, false, true, false])
        #expect(disk.file >= sizes.size)
    }

    @Test func whoFindsNoRoomIsGivenItOnce() throws {
        let disk = try Disk()
        let reserve = disk.reserve()
        #expect(reserve.makeRoom())
        #expect(disk.file == 0)
        #expect(reserve.isDiskLow)
        #expect(!reserve.makeRoom())
    }

    /// What a stop in the middle of its making left is no reserve; one that is whole is kept, also on a full disk.
    @Test func aNewStart() throws {
        let disk = try Disk()
        let path = DiskReserve.path(disk.scratch.path)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        disk.free.withLock { $0 = 0 }
        _ = disk.reserve()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(disk.told.withLock { $0 } == [true])
        disk.free.withLock { $0 = .max }
        _ = disk.reserve()
        #expect(disk.file > 0)
        disk.told.withLock { $0 = [] }
        disk.free.withLock { $0 = disk.rules.full }
        let next = disk.reserve()
        #expect(disk.file > 0)
        #expect(next.isDiskLow)
    }

    @Test func itsSizeFitsTheDisk() {
        #expect(DiskReserve.size(total: .max) == 128 << 20)
        #expect(DiskReserve.size(total: 400 << 20) == 96 << 20)
        // Room for a segment of the log, so that the node can be started.
        #expect(DiskReserve.size(total: 400 << 20) > UInt64(LogWriter.segmentBytes))
    }
}
