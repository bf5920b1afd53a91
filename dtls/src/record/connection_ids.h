// The connection IDs of one connection (RFC 9146 section 3, RFC 9147 sections 4 and 9).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/connection_id.h>

namespace sluice::dtls::record {

// An idle connection keeps its IDs, and there may be a million of them: so all are in one place, in
// the object itself if they are one of 8 bytes for each side, else in one allocation. In DTLS 1.3
// each side may give the other further IDs. All own IDs have one size, because a header does not
// say how long its ID is.
class ConnectionIds {
 public:
  // IDs that a side has received and not used yet.
  static constexpr std::size_t kMaxSpares = 8;  // kMaxSpareConnectionIds
  // Own IDs. Where there would be more, that which the peer has not used for longest ends.
  static constexpr std::size_t kMaxOwn = 2 * kMaxSpares;

  // Whether set() was called, also with two empty IDs.
  [[nodiscard]] bool are_set() const { return !std::holds_alternative<NotSet>(storage_); }
  // Of the peer's encrypted records, the one that it uses; empty: they have none.
  [[nodiscard]] Bytes own() const { return are_set() ? stored_own() : Bytes{}; }
  // Of this side's encrypted records; empty: they have none.
  [[nodiscard]] Bytes peers() const { return are_set() ? stored_peers() : Bytes{}; }

  // Each of at most kMaxConnectionId bytes.
  void set(Bytes own, Bytes peers);
  void clear() { storage_ = NotSet(); }

  void begin_datagram() {
    if (are_set()) bytes()[at_seen] = std::byte{0};
  }
  // Whether a DTLS 1.3 record with this ID, or without one, is for this connection. RFC 9147
  // section 4 requires the ID in each datagram, not in each record: later records may come without
  // it.
  [[nodiscard]] bool take(Bytes id_in_record) {
    return are_set() ? take_stored(id_in_record) : id_in_record.empty();
  }
  // A record with this ID, or without one, is authentic and the newest.
  void on_newest(Bytes id_in_record) {
    if (!id_in_record.empty()) use_own(id_in_record);
  }

  // ---- further own IDs

  [[nodiscard]] bool is_own(Bytes id) const { return find_own(id) != number(at_own_count); }
  [[nodiscard]] std::vector<ConnectionId> all_own() const;
  // Those that the peer has not used.
  [[nodiscard]] std::size_t unused_own() const;
  // The peer gets these IDs. `replace`: it must use one of them from now on, and will not use those
  // of its spares that it had before. Returns the IDs that ended.
  std::vector<ConnectionId> add_own(std::span<const ConnectionId> ids, bool replace);

  // ---- further IDs of the peer

  [[nodiscard]] std::size_t spares() const;
  // Of more than kMaxSpares the rest is dropped (RFC 9147 section 9).
  void add_spares(std::span<const Bytes> ids);
  // Uses the first of them, of which there is one at least; the others are the spares.
  void replace_peers(std::span<const Bytes> ids);
  // Uses the next spare, of which there is one at least.
  void use_spare();

  // ---- connections that move

  using List = std::vector<Bytes>;

  // Those that the peer has used before, the longest ago first; the one in use; those that it has
  // not used. Valid until the next change.
  [[nodiscard]] List own_list() const;
  // Of own_list(): the place of the one in use.
  [[nodiscard]] std::size_t in_use() const { return number(at_in_use); }
  // The one in use, the spares. Valid until the next change.
  [[nodiscard]] List peers_list() const;
  // As the three above were: at most kMaxOwn own IDs of one size, and one and kMaxSpares of the
  // peer, each of at most kMaxConnectionId bytes.
  void restore(const List& own, std::size_t in_use, const List& peers) {
    store(own, in_use, peers);
  }

 private:
  // What bytes() begin with: the size of own IDs, how many of them there are, which of them the
  // peer uses, how many IDs of the peer there are, and whether a record of the present datagram had
  // an ID. Behind that are the own IDs: those that the peer has used before, the longest ago first;
  // the one in use; those that it has not used. Then the peer's, each after its size: the one in
  // use, the spares.
  enum Place : std::uint8_t {
    at_own_size,
    at_own_count,
    at_in_use,
    at_peers_count,
    at_seen,
    at_ids
  };

  [[nodiscard]] std::size_t number(Place place) const {
    return are_set() ? std::to_integer<std::size_t>(bytes()[place]) : 0;
  }
  [[nodiscard]] Bytes own_at(std::size_t index) const {
    const std::size_t size = number(at_own_size);
    return {bytes() + at_ids + index * size, size};
  }
  // at_own_count: it is none of them.
  [[nodiscard]] std::size_t find_own(Bytes id) const;
  [[nodiscard]] Bytes stored_own() const;
  [[nodiscard]] Bytes stored_peers() const;
  [[nodiscard]] bool take_stored(Bytes id_in_record);
  // The peer uses this own ID now.
  void use_own(Bytes id);
  void store(const List& own, std::size_t in_use, const List& peers);

  using NotSet = std::monostate;
  // As many as take no more than a pointer and two IDs of 8 bytes.
  using Near = std::array<std::byte, 24>;
  using Far = std::unique_ptr<std::byte[]>;
  using Storage = std::variant<NotSet, Near, Far>;

  // The IDs must be set.
  [[nodiscard]] static std::byte* bytes_of(Storage& storage) {
    if (auto* near = std::get_if<Near>(&storage)) return near->data();
    return std::get_if<Far>(&storage)->get();
  }
  [[nodiscard]] std::byte* bytes() { return bytes_of(storage_); }
  [[nodiscard]] const std::byte* bytes() const {
    return bytes_of(const_cast<ConnectionIds*>(this)->storage_);
  }

  [[no_unique_address]] Storage storage_;  // what follows a ConnectionIds begins in the padding
};

}  // namespace sluice::dtls::record
