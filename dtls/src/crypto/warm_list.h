// Whose ciphers are keyed at the moment.
#pragma once

#include <cstddef>

namespace sluice::dtls::crypto {

// A keyed cipher of libcrypto's takes a kilobyte, and each connection wants two or four, though
// most of many are silent. So only those that were used last have them: the least recently used
// goes cold when there are more than `limit`.
class WarmList {
  struct Link {
    Link* newer = nullptr;  // null: in no list
    Link* older = nullptr;
  };

 public:
  // What a member derives from; it must leave the list before it goes.
  class Member : private Link {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    virtual ~Member() = default;

    // Told to who is in the list no more, for others were used later. It may go at once.
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
  // `member` has just been used.
  void use(Member& member) {
    if (is_newest(member)) return;
    leave(member);
    make_room();
    put_between(member, *ends_.older, ends_);
  }
  // `member` has ciphers that nobody has proved to be a use for: it's the first to go, so that
  // forgeries take one place from those that are used, however many they are.
  void try_out(Member& member) {
    leave(member);
    make_room();
    put_between(member, ends_, *ends_.newer);
  }
  // Does nothing for who isn't in it.
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
  // A ring: behind it stands the newest, before it the oldest.
  Link ends_;
};

}  // namespace sluice::dtls::crypto
