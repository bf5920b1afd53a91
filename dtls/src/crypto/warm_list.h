// The list of connections that have keyed ciphers at present.
#pragma once

#include <cstddef>

namespace sluice::dtls::crypto {

// Bounds the number of keyed ciphers. A keyed cipher of libcrypto takes a kilobyte and a connection
// needs two to four, but most connections are silent. So only the `limit` most recently used
// connections have ciphers. When another connection needs them, the least recently used member goes
// cold.
class WarmList {
  struct Link {
    Link* newer = nullptr;  // null: not in a list
    Link* older = nullptr;
  };

 public:
  // The base class of members. A member must leave the list before it is destroyed.
  class Member : private Link {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    virtual ~Member() = default;

    // Called after the list has removed the member as the least recently used one. The member may
    // delete itself.
    virtual void cool() = 0;

   private:
    friend WarmList;
  };

  // `limit`: 1 or more.
  explicit WarmList(std::size_t limit) : limit_(limit) { ends_.newer = ends_.older = &ends_; }
  WarmList(const WarmList&) = delete;
  WarmList& operator=(const WarmList&) = delete;
  ~WarmList() = default;

  [[nodiscard]] bool is_newest(const Member& member) const { return ends_.older == &member; }
  // Makes `member` the most recently used one.
  void use(Member& member) {
    if (is_newest(member)) return;
    leave(member);
    make_room();
    put_between(member, *ends_.older, ends_);
  }
  // Adds a member that has ciphers for a record that is not authenticated yet. This member goes
  // cold first, so forged records take at most one place from the members in use, no matter how
  // many arrive.
  void try_out(Member& member) {
    leave(member);
    make_room();
    put_between(member, ends_, *ends_.newer);
  }
  // Has no effect on a member that is not in the list.
  void leave(Member& member) {
    if (member.newer == nullptr) return;
    member.newer->older = member.older;
    member.older->newer = member.newer;
    member.newer = member.older = nullptr;
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void make_room() {
    if (size_ < limit_) return;
    auto& oldest = static_cast<Member&>(*ends_.newer);
    leave(oldest);
    oldest.cool();
  }
  void put_between(Member& member, Link& older, Link& newer) {
    member.older = &older;
    member.newer = &newer;
    older.newer = newer.older = &member;
    ++size_;
  }

  std::size_t limit_;
  std::size_t size_ = 0;
  // The list is a ring: ends_.older is the newest member, ends_.newer the oldest.
  Link ends_;
};

}  // namespace sluice::dtls::crypto
