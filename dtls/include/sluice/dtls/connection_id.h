// Connection IDs (CIDs): a peer is known by them when its address changes (RFC 9146, RFC 9147
// section 9).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls {

class Environment;

// The longest connection ID, in bytes (RFC 9146 section 3).
inline constexpr std::size_t kMaxConnectionId = 255;

// Up to kMaxConnectionId bytes; empty: records carry none. An observer of the network can read it.
class ConnectionId {
 public:
  // What is up to this long needs no allocation.
  static constexpr std::size_t kMaxInPlace = 20;

  ConnectionId() = default;
  // Of `bytes`, only the first kMaxConnectionId are taken.
  explicit ConnectionId(Bytes bytes)
      : size_(static_cast<std::uint8_t>(std::min(bytes.size(), kMaxConnectionId))) {
    if (size_ > kMaxInPlace) far_ = std::make_unique<std::byte[]>(size_);
    std::ranges::copy(bytes.first(size_), data());
  }
  ConnectionId(const ConnectionId& other) : ConnectionId(other.bytes()) {}
  ConnectionId(ConnectionId&& other) noexcept
      : far_(std::move(other.far_)), near_(other.near_), size_(std::exchange(other.size_, {})) {}
  ConnectionId& operator=(ConnectionId other) noexcept {
    swap(other);
    return *this;
  }
  ~ConnectionId() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Bytes bytes() const { return {far_ != nullptr ? far_.get() : near_.data(), size_}; }

  friend bool operator==(const ConnectionId& a, const ConnectionId& b) {
    return std::ranges::equal(a.bytes(), b.bytes());
  }

 private:
  std::byte* data() { return far_ != nullptr ? far_.get() : near_.data(); }
  void swap(ConnectionId& other) noexcept {
    std::swap(far_, other.far_);
    std::swap(near_, other.near_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<std::byte[]> far_;  // null: in near_
  std::array<std::byte, kMaxInPlace> near_{};
  std::uint8_t size_ = 0;
};

// Makes the connection IDs that peers are to use. Where several connections share a socket, no two
// of them may have the same. Its IDs may tell a load balancer where to send a datagram; then they
// should be encrypted, because an observer reads them (RFC 9147 section 11).
//
// Called during inputs to the connections that use it, on their thread; it must not call into
// them. It must outlive them.
class ConnectionIdSource {
 public:
  ConnectionIdSource() = default;
  ConnectionIdSource(const ConnectionIdSource&) = delete;
  ConnectionIdSource& operator=(const ConnectionIdSource&) = delete;
  virtual ~ConnectionIdSource() = default;

  // The size of all IDs, in bytes: 1 to kMaxConnectionId. It never changes, because a record does
  // not contain it.
  [[nodiscard]] virtual std::size_t size() const = 0;
  // Fills `out`, which has size() bytes. An Error ends the handshake that needs the ID.
  virtual Result<void> make(MutableBytes out) = 0;
  // A connection does not use this ID any longer, and goes on with others, or with none where the
  // server has not agreed to use them. Not called for the IDs of a connection that has ended.
  virtual void retire(Bytes /*id*/) {}
};

// Random bytes of the Environment. With 8 bytes and a million connections, a new ID is in use
// already with a probability of 10^6 / 2^64.
class RandomConnectionIds final : public ConnectionIdSource {
 public:
  // `environment` must outlive the object. `size`: 1 to kMaxConnectionId.
  RandomConnectionIds(Environment& environment, std::size_t size)
      : environment_(environment), size_(size) {}

  [[nodiscard]] std::size_t size() const override { return size_; }
  // Errors: libcrypto_failure.
  Result<void> make(MutableBytes out) override;

 private:
  Environment& environment_;
  std::size_t size_;
};

}  // namespace sluice::dtls
