import ClusterModel
import Glibc
import Synchronization
import Testing

@testable import SharedLog

@Suite(.timeLimit(.minutes(1)))
struct FileLogTests {
    @Test func entriesComeBackInOrderFromAnotherProcessOfTheLog() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        for position in 1...5 {
            #expect(try log.append(entry(1, term: UInt64(position)), at: at(UInt64(position))) == .won)
        }
        let other = try folder.open(writer: 2)
        let records = try other.read(from: at(2), limit: 3).records
        #expect(records.map(\.position) == [at(2), at(3), at(4)])
        #expect(records.map(\.entry.term.rawValue) == [2, 3, 4])
        #expect(try other.read(from: at(6), limit: 3) == .entries([]))
        #expect(folder.names().filter { $0.hasPrefix("tmp-") } == [])
    }

    @Test func aPositionIsWrittenOnceAndTheLoserIsTold() throws {
        let folder = try LogFolder()
        let (first, second) = (try folder.open(writer: 1), try folder.open(writer: 2))
        #expect(try first.append(entry(1), at: at(1)) == .won)
        #expect(try second.append(entry(2), at: at(1)) == .lost)
        #expect(try first.append(entry(1, term: 9), at: at(1)) == .lost)
        #expect(try second.read(from: at(1), limit: 9).records.map(\.entry) == [entry(1)])
    }

    @Test func aRepeatedAppendOfTheSameEntryFindsItsOwnSuccess() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        #expect(try log.append(entry(1), at: at(1)) == .won)
        #expect(try log.append(entry(1), at: at(1)) == .won)
    }

    @Test func twoWritersRaceForEverySlotAndEachHasOneWinner() throws {
        let folder = try LogFolder()
        let wins = Mutex<[UInt64: [UInt64]]>([:])
        let path = folder.path
        let failures = Mutex<[String]>([])
        withThreads(4) { number in
            let writer = UInt64(number + 1)
            do {
                let log = try FileLog(directory: path, writer: UniqueID(high: 7, low: writer))
                for position in 1...60 as ClosedRange<UInt64> {
                    if try log.append(entry(writer), at: at(position)) == .won {
                        wins.withLock { $0[position, default: []].append(writer) }
                    }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        let records = try folder.open(writer: 9).read(from: at(1), limit: 100).records
        #expect(records.count == 60)
        for record in records {
            let winners = wins.withLock { $0[record.position.rawValue] ?? [] }
            #expect(winners == [record.entry.writer.low])
        }
    }

    @Test func aDamagedEntryIsReportedByItsFileOnceALaterOneExists() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        for position in 1...3 as ClosedRange<UInt64> { _ = try log.append(entry(1), at: at(position)) }
        let name = folder.slots()[1]
        var bytes = try folder.bytes(name)
        bytes[bytes.count - 5] ^= 1
        try folder.write(name, bytes)
        #expect { try log.read(from: at(1), limit: 9) } throws: { error in
            guard case SharedLogError.damaged(let text)? = error as? SharedLogError else { return false }
            return text.contains(folder.path(name)) && text.contains("restore")
        }
    }

    @Test(arguments: [0, 1, 20, 60, 100])
    func aHalfWrittenLastEntryIsWaitedFor(bytes kept: Int) throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        for position in 1...2 as ClosedRange<UInt64> { _ = try log.append(entry(1), at: at(position)) }
        let name = folder.slots()[1]
        let whole = try folder.bytes(name)
        try folder.write(name, Array(whole.prefix(kept)))
        #expect(try log.read(from: at(1), limit: 9).records.count == 1)
        #expect { try log.read(from: at(2), limit: 9) } throws: { error in
            if case SharedLogError.unreadable? = error as? SharedLogError { return true }
            return false
        }
        // Whoever finds it there has lost the position, and never writes over it.
        #expect(try log.append(entry(2), at: at(2)) == .lost)
        try folder.write(name, whole)
        #expect(try log.read(from: at(2), limit: 9).records.count == 1)
    }

    @Test func aMissingEntryBeforeAnotherIsDamage() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        for position in 1...3 as ClosedRange<UInt64> { _ = try log.append(entry(1), at: at(position)) }
        try folder.remove(folder.slots()[1])
        #expect { try log.read(from: at(1), limit: 9) } throws: { error in
            guard case SharedLogError.damaged(let text)? = error as? SharedLogError else { return false }
            return text.contains("missing")
        }
    }

    @Test func aFileOfAnotherFormatIsNeverTakenForAnEntry() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        try folder.write(FileLog.slot(at(1)), Array("ostraka-log 2 1 00000000 2\n{}\n".utf8))
        #expect { try log.read(from: at(1), limit: 9) } throws: { error in
            if case SharedLogError.damaged? = error as? SharedLogError { return true }
            return false
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsRefusedInOneLine() throws {
        let folder = try LogFolder()
        try folder.write("plain", [1])
        #expect { try FileLog(directory: folder.path("plain") + "/log", writer: UniqueID(high: 0, low: 1)) } throws: {
            guard case SharedLogError.unusable(let text)? = $0 as? SharedLogError else { return false }
            return text.contains("plain") && !text.contains("\n")
        }
    }

    @Test func twoProcessesMayHoldTheSameLogOpenAndWriteInTurn() throws {
        let folder = try LogFolder()
        let logs = [try folder.open(writer: 1), try folder.open(writer: 2)]
        for position in 1...20 as ClosedRange<UInt64> {
            #expect(try logs[Int(position % 2)].append(entry(position % 2 + 1), at: at(position)) == .won)
        }
        #expect(try logs[0].read(from: at(1), limit: 99) == logs[1].read(from: at(1), limit: 99))
    }
}

/// Runs the body on so many threads and waits for all.
func withThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Work: Sendable {
        let number: Int
        let body: @Sendable (Int) -> Void
        init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.number = number
            self.body = body
        }
    }
    var threads: [pthread_t] = []
    for number in 0..<count {
        var thread = pthread_t()
        let work = unsafe Unmanaged.passRetained(Work(number, body)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.body(work.number)
                return nil
            }, work)
        #expect(code == 0)
        if code == 0 { threads.append(thread) }
    }
    for thread in threads { pthread_join(thread, nil) }
}
