internal import ClusterModel

/// Splits an inline command as Redis's sdssplitargs does: blanks separate, quotes join, `"` knows escapes, a NUL ends it.
enum InlineArguments {
    /// Adds the line's arguments to the batch; false if quotes are unbalanced or a closing one is not followed by a
    /// blank.
    static func split(_ line: ByteView, into batch: CommandBatch) -> Bool {
        var place = 0
        while true {
            while place < line.count, isBlank(line[place]) { place += 1 }
            guard place < line.count, line[place] != 0 else { return true }
            let start = place
            while place < line.count, !endsWord(line[place]), line[place] != 34, line[place] != 39 { place += 1 }
            if place == line.count || endsWord(line[place]) {
                batch.append(line[start..<place])
                continue
            }
            // A quote: the word is written anew, without quotes and escapes. It only gets shorter.
            let room = unsafe batch.keep(line.count - start)
            var word = unsafe Word(line: line, place: start, room: room)
            guard word.read() else { return false }
            batch.append(unsafe ByteView(base: room, count: word.count))
            place = word.place
        }
    }

    /// What isspace(3) holds for a blank in the C locale.
    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    /// What ends a word outside of quotes.
    static func endsWord(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 || byte == 0 }

    /// A word with quotes in it.
    @safe private struct Word {
        let line: ByteView
        var place: Int
        let room: UnsafeMutablePointer<UInt8>
        var count = 0

        init(line: ByteView, place: Int, room: UnsafeMutablePointer<UInt8>) {
            self.line = line
            self.place = place
            unsafe self.room = room
        }

        private mutating func put(_ byte: UInt8) {
            unsafe room[count] = byte
            count += 1
        }

        mutating func read() -> Bool {
            while place < line.count {
                let byte = line[place]
                if endsWord(byte) { return true }
                place += 1
                switch byte {
                case 34: if !readDouble() { return false } else { return true }
                case 39: if !readSingle() { return false } else { return true }
                default: put(byte)
                }
            }
            return true
        }

        /// Whether what follows a closing quote may follow it.
        private var isAtBoundary: Bool { place == line.count || isBlank(line[place]) || line[place] == 0 }

        private mutating func readSingle() -> Bool {
            while place < line.count {
                let byte = line[place]
                place += 1
                if byte == 0 { return false }
                if byte == 39 { return isAtBoundary }
                if byte == 92, place < line.count, line[place] == 39 {
                    put(39)
                    place += 1
                } else {
                    put(byte)
                }
            }
            return false
        }

        private mutating func readDouble() -> Bool {
            while place < line.count {
                let byte = line[place]
                place += 1
                if byte == 0 { return false }
                if byte == 34 { return isAtBoundary }
                guard byte == 92, place < line.count, line[place] != 0 else {
                    put(byte)
                    continue
                }
                readEscape()
            }
            return false
        }

        /// What follows a backslash; there is at least one byte.
        private mutating func readEscape() {
            let kind = line[place]
            if kind == 120, place + 2 < line.count, let high = hexadecimal(line[place + 1]),
                let low = hexadecimal(line[place + 2])
            {
                put(high << 4 | low)
                place += 3
                return
            }
            place += 1
            switch kind {
            case 110: put(10)
            case 114: put(13)
            case 116: put(9)
            case 98: put(8)
            case 97: put(7)
            default: put(kind)
            }
        }

        private func hexadecimal(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 48...57: byte - 48
            case 65...70: byte - 55
            case 97...102: byte - 87
            default: nil
            }
        }
    }
}
