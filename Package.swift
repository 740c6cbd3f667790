// swift-tools-version: 6.3
import PackageDescription

/// Settings of every Swift target: language mode 6, strict memory safety, explicit existentials and imports.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A target of this package; pure targets name no product of another package but DequeModule.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies + [arguments], swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "ostraka",
    products: [
        .library(name: "ClusterClient", targets: ["ClusterClient"]),
        .executable(name: "metasrv", targets: ["metasrv"]),
        .executable(name: "datasrv", targets: ["datasrv"]),
        .executable(name: "shardctl", targets: ["shardctl"]),
        .executable(name: "shardsim", targets: ["shardsim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLevelDB", providers: [.apt(["libleveldb-dev"])]),
        .target(name: "CSystemCalls"),
        module("ClusterModel", ["CSystemCalls"]),
        module("Wire", ["ClusterModel"]),
        module(
            "DataCore", ["ClusterModel", "CSystemCalls", .product(name: "DequeModule", package: "swift-collections")]),
        module("MetaCore", ["ClusterModel"]),
        module("LevelStore", ["ClusterModel", "CLevelDB"]),
        module("SharedLog", ["ClusterModel", "CSystemCalls", logging]),
        module("ClusterClient", ["ClusterModel", "Wire", logging] + nio),
        module("Simulator", ["ClusterModel", "Wire", "DataCore", "MetaCore"]),
        module(
            "NodeRuntime",
            [
                "ClusterModel", "Wire", "DataCore", "MetaCore", "LevelStore", "SharedLog", "ClusterClient",
                "CSystemCalls",
                logging, arguments,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Yams", package: "Yams"),
            ] + nio),
        program("metasrv", ["ClusterModel", "NodeRuntime"]),
        program("datasrv", ["ClusterModel", "NodeRuntime"]),
        program("shardsim", ["ClusterModel", "Simulator"]),
        program("shardctl", ["ClusterClient", "ClusterModel"]),
        tests("ClusterModelTests", ["ClusterModel"]),
        tests("WireTests", ["ClusterModel", "Wire"]),
        tests("DataCoreTests", ["ClusterModel", "DataCore"]),
        tests("HistoryTests", ["Simulator"]),
        tests("SimulatorTests", ["ClusterModel", "Simulator", "Wire"], exclude: ["Scenarios"]),
        tests("FormatTests", ["ClusterClient", "ClusterModel", "DataCore", "SharedLog", "Wire"]),
        tests("NodeLogTests", ["ClusterModel", "DataCore"]),
        tests("MetaCoreTests", ["ClusterModel", "MetaCore"]),
        tests("LevelStoreTests", ["ClusterModel", "LevelStore"]),
        tests("SharedLogTests", ["ClusterModel", "SharedLog"]),
        tests(
            "NodeRuntimeTests",
            [
                "ClusterModel", "DataCore", "LevelStore", "NodeRuntime", "Wire", logging,
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ]),
        tests("ClusterClientTests", ["ClusterClient", "ClusterModel", "Wire"] + nio),
        tests("TidyTests", []),
        tests("ClusterTests", ["ClusterClient", "ClusterModel"], exclude: ["Chaos"]),
    ]
)
