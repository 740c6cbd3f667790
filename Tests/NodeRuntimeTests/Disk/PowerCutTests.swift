import ClusterModel
import Foundation
import Testing

@testable import NodeRuntime

/// E1, E2: ext4 in a file, cut off without writing what was not synced, as when the machine loses power.
@Suite(
    "Power cuts", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: SmallDisk.hasLoopDevices, "needs root and loop devices"))
struct PowerCutTests {
    private func key(_ number: Int) -> String { "key\(number)" }

    /// Every record that counted as durable is there afterwards, in the log and in the store; none that came later was
    /// reported.
    @Test(arguments: [0, 1, 2])
    func whatWasDurableOutlivesAPowerCut(round: Int) throws {
        let scratch = try Scratch()
        let disk = try SmallDisk(.ext4(image: scratch.path("disk")), at: scratch.path("mnt"), megabytes: 64)
        defer { disk.unmount() }
        let path = scratch.path("mnt/d1")
        var written = 0
        var durable: UInt64 = 0
        do {
            let life = try DiskLife(path, segmentBytes: 128 << 10)
            for _ in 0..<20 + 40 * round {
                for _ in 0..<10 {
                    life.put(key(written), [UInt8](repeating: UInt8(truncatingIfNeeded: written), count: 700))
                    written += 1
                }
                #expect(life.commit())
            }
            // These may or may not make it.
            for _ in 0..<50 {
                life.put(key(written), [UInt8](repeating: UInt8(truncatingIfNeeded: written), count: 700))
                written += 1
            }
            if round == 1 { #expect(life.told.wait(until: { $0.durable >= life.ticket })) }
            // A sync that is under way while ext4 is shut down may still return success: what counts is what was told
            // before.
            durable = life.told.durable
            try disk.cutPower()
            life.put("late", [1])
            let late = life.ticket
            let isNoticed = life.told.wait(until: { told in told.failures.contains { $0.hasPrefix("log:") } })
            #expect(isNoticed, "a write to a dead disk is noticed (E2)")
            let failed = life.told.durable
            #expect(failed < late)
            life.stop(isClean: false)
            #expect(life.told.durable == failed, "nothing is durable after a failure")
        }
        let after = try disk.afterPowerCut(at: scratch.path("after"))
        defer { after.unmount() }
        let found = scratch.path("after/d1")
        do {
            let life = try DiskLife(found, segmentBytes: 128 << 10)
            // Every record has a batch and a ticket of its own, so tickets and seqs are the same numbers.
            #expect(life.seq >= durable)
            #expect(life.seq <= UInt64(written + 1))
            #expect(life.commit())
            for number in 0..<Int(life.seq) - 1 {
                let value = try life.value(key(number))
                #expect(value == [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 700), "\(key(number))")
            }
            #expect(try life.value("late") == nil)
            // And the log goes on, over another start.
            life.put("after", [9])
            #expect(life.commit())
            life.stop()
        }
        let again = try DiskLife(found, segmentBytes: 128 << 10)
        #expect(again.commit())
        #expect(try again.value("after") == [9])
        again.stop()
    }
}
