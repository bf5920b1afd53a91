// A list of items of one size, as they stand in a packet or in memory.
#pragma once

#include <cstddef>
#include <iterator>
#include <span>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/numbers.h>

namespace sluice::rtp {

// How an item stands in a packet. Specialised for each type of item.
template <class Item>
struct ItemForm;

template <>
struct ItemForm<Ssrc> {
  static constexpr std::size_t kSize = 4;
  static Ssrc read(Bytes bytes);
  static void write(MutableBytes out, Ssrc ssrc);
};

// A view, as small as a span: items of a received packet, decoded when they are looked at, or items
// of the caller to be written. So the same type of packet is read and written. It must not outlive
// what it points to.
template <class Item>
class ItemList {
 public:
  class Iterator {
   public:
    // NOLINTBEGIN(readability-identifier-naming): the standard names them so.
    using difference_type = std::ptrdiff_t;
    using value_type = Item;
    // NOLINTEND(readability-identifier-naming)

    Iterator() = default;
    Iterator(const ItemList& list, std::size_t index) : list_(&list), index_(index) {}
    Item operator*() const { return (*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    const ItemList* list_ = nullptr;
    std::size_t index_ = 0;
  };

  ItemList() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it is that list.
  ItemList(std::span<const Item> items) : items_(items.data()), size_(items.size()) {}
  // `bytes` holds whole items.
  static ItemList encoded(Bytes bytes) {
    ItemList list;
    list.encoded_ = bytes.data();
    list.size_ = bytes.size() / ItemForm<Item>::kSize;
    return list;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Precondition: index < size().
  [[nodiscard]] Item operator[](std::size_t index) const {
    if (items_ != nullptr) return items_[index];
    constexpr std::size_t kSize = ItemForm<Item>::kSize;
    return ItemForm<Item>::read(Bytes{encoded_ + index * kSize, kSize});
  }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size_}; }

  friend bool operator==(const ItemList& a, const ItemList& b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i) {
      if (!(a[i] == b[i])) return false;
    }
    return true;
  }

 private:
  const Item* items_ = nullptr;
  const std::byte* encoded_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sluice::rtp
