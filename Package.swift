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

let package = Package(
    name: "ostraka",
    products: [],
    dependencies: [],
    targets: [
        .target(name: "CSystem"),
        .target(name: "ClusterModel", swiftSettings: strict),
        .target(name: "DataCore", dependencies: ["ClusterModel"], swiftSettings: strict),
        .testTarget(name: "ClusterModelTests", dependencies: ["ClusterModel"], swiftSettings: strict),
        .testTarget(name: "NodeLogTests", dependencies: ["ClusterModel", "DataCore"], swiftSettings: strict),
    ]
)
