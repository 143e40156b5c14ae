import { Module } from '@nestjs/common';
import { InventoryController } from './inventory.controller.ts';

/** Search and look at what was issued. */
@Module({ controllers: [InventoryController] })
export class InventoryModule {}
