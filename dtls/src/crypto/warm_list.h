// Whose ciphers are keyed at the moment.
#pragma once

#include <cstddef>

namespace sluice::dtls::crypto {

// A keyed cipher of libcrypto's takes a kilobyte, and each connection wants two or four, though
// most of many are silent. So only those that were used last have them: the least recently used
// goes cold when there are more than `limit`. All members of one list are of one type.
class WarmList {
 public:
  // What a member derives from; it must leave the list before it goes.
  class Member {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

   protected:
    ~Member() = default;

   private:
    friend WarmList;
    Member* newer_ = nullptr;  // null: in no list
    Member* older_ = nullptr;
  };

  // `limit`: 1 or more.
  explicit WarmList(std::size_t limit) : limit_(limit) { ends_.newer_ = ends_.older_ = &ends_; }
  WarmList(const WarmList&) = delete;
  WarmList& operator=(const WarmList&) = delete;
  ~WarmList() = default;

  // `member` has just been used. Whoever is one too many is told: cool().
  template <class Owner>
  void use(Owner& member) {
    if (ends_.older_ == &member) return;
    leave(member);
    enter(member);
    if (size_ <= limit_) return;
    auto& oldest = static_cast<Owner&>(*ends_.newer_);
    leave(oldest);
    oldest.cool();
  }
  // Does nothing for who isn't in it.
  void leave(Member& member) {
    if (member.newer_ == nullptr) return;
    member.newer_->older_ = member.older_;
    member.older_->newer_ = member.newer_;
    member.newer_ = member.older_ = nullptr;
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void enter(Member& member) {
    member.newer_ = &ends_;
    member.older_ = ends_.older_;
    ends_.older_->newer_ = &member;
    ends_.older_ = &member;
    ++size_;
  }

  std::size_t limit_;
  std::size_t size_ = 0;
  // A ring: behind it stands the newest, before it the oldest.
  Member ends_;
};

}  // namespace sluice::dtls::crypto
